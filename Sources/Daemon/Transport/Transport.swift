// (module Transport)
