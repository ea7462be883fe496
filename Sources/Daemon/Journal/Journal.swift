// (module Journal)
