// (module Settings)
