"""CronJobs and Jobs of Kubernetes. Called by `jobsctl import kubernetes`."""
