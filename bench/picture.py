"""x"""
def write(file, scores): pass
