print("epost-console")
