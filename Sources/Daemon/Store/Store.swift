// (module Store)
