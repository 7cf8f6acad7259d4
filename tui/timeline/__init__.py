"""What changed, in order: in every watched system and in opstui itself, what people did about it, and what they noted.

Near in time is never called a cause. Nothing here knows a screen.
"""
