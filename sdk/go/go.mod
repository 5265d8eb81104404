module sheave

go 1.24
