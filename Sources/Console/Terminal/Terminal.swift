// (module Terminal)
