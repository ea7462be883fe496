print("epostd")
