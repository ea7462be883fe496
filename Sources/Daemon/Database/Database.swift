// (module Database)
