module greeting

go 1.24

require sheave v0.0.0

replace sheave => ./sdk
