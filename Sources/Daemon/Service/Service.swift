// (module Service)
