// (module Policy)
