// (module MessageFormat)
