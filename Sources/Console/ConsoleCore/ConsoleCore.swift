// (module ConsoleCore)
