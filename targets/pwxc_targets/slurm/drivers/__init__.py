"""Shell scripts that submit jobs, followed command by command."""
