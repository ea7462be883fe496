// (module Control)
