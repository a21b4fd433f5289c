"""What is measured on images and finished latents. Knows no diffusion model."""
