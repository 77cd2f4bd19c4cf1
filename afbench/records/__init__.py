"""What trials and costs leave on disk: their types, their JSON, the store, the machine they ran on."""
