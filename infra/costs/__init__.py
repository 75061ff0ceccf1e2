"""What a stack costs, on paper: the program's resources, counted requests and list prices, as a page."""
