#!/bin/sh
# What must pass before a change goes in. It needs `sheave`, and the language's own tools: README.md says which.
set -eu
cd "$(dirname "$0")"
sheave plugin build
sheave plugin test
