"""Latent diffusion: autoencoder, denoiser, noise schedule, sampler."""
