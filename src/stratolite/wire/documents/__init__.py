"""Documents: the bodies protocols carry, each kind read and written by closures compiled from shapes.

A reader turns a parsed document into an operation's plain values and raises `Unreadable` where AWS's parser would
give up; a writer does the reverse and trusts what it is given. Shapes are compiled when an operation is first used.
"""
