// (module CommandLine)
