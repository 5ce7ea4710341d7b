"""Networks y_ij = decode(encode(x_i), encode(x_j)), trained by gradient descent."""
