"""What every stage needs: whole-or-nothing files, random generators, jobs, progress."""
