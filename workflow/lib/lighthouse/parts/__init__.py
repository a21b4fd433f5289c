"""Parts of methods, each declared once: guidance terms, objectives, coresets, extractors.

A declaration says what a user may say of a part, what the grid and the tables have to know of
it, and by which function it is made; that function is named, and loaded where it is used. So
the tables here need no torch, and a job's code does not depend on parts that it has not.
Schemas, checks, rules and tables read them; nothing else lists parts.
"""
