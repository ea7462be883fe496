// (module Tables)
