"""The kinds of automatic tasks that come with O2B, a module each; settings name them."""
