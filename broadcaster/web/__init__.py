"""What all web doors share: safe headers, the reader's language, bodies of a decent size, errors in words, health."""
