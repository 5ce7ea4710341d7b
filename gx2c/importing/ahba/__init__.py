"""Regional expression from the Allen Human Brain Atlas, made by abagen."""
