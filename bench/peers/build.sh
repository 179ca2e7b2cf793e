#!/bin/sh
# Builds the peers of the benchmark into bench/.cache: mongorestore, mongodump and mgodatagen from the modules
# that go.mod pins, and a Python environment with the pymongo of requirements.txt. Skips what is current.
# Needs Go (1.21 or later) and Python (3.11 or later) with venv.
set -eu

peers=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
cache=$(dirname -- "$peers")/.cache
mkdir -p "$cache/bin"

# Current: present, and not older than any file that says what it is made of. usage: is_current TARGET SOURCE...
is_current() {
  target=$1
  shift
  [ -e "$target" ] || return 1
  for source in "$@"; do
    [ -z "$(find "$source" -newer "$target")" ] || return 1
  done
}

# usage: build_go NAME PACKAGE
build_go() {
  if is_current "$cache/bin/$1" "$peers/go.mod" "$peers/go.sum"; then
    echo "$1: already built"
    return
  fi
  echo "$1: building"
  # Built under another name first: a build that is cut off leaves no half a program behind.
  # mgodatagen is not looked up in the checksum database; go.sum pins it. go.mod names the two modules alone, so
  # the build must be allowed to find what these require (-mod=mod).
  (cd "$peers" && GONOSUMDB=github.com/feliixx/mgodatagen GOFLAGS=-mod=mod \
    go build -mod=mod -o "$cache/bin/$1.part" "$2")
  mv "$cache/bin/$1.part" "$cache/bin/$1"
  # go build may rewrite go.sum after it has begun; the program is of that go.sum.
  touch "$cache/bin/$1"
}

build_venv() {
  if is_current "$cache/venv/.complete" "$peers/requirements.txt"; then
    echo "pymongo: already installed"
    return
  fi
  echo "pymongo: installing"
  rm -rf "$cache/venv"
  python3 -m venv "$cache/venv"
  "$cache/venv/bin/pip" install --quiet --only-binary=:all: --requirement "$peers/requirements.txt"
  touch "$cache/venv/.complete"
}

build_go mongorestore github.com/mongodb/mongo-tools/mongorestore/main
build_go mongodump github.com/mongodb/mongo-tools/mongodump/main
build_go mgodatagen github.com/feliixx/mgodatagen
build_venv
