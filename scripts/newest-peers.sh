#!/usr/bin/env bash
# Builds the newest Prometheus and VictoriaMetrics that Go's module proxy serves, beside the older ones of Debian, into FOLDER:
# `prometheus3` and `victoria-metrics-new`. What is there already is kept. Needs Go; the first build takes some minutes.
set -euo pipefail

folder=${1:?usage: scripts/newest-peers.sh FOLDER}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)

# A plain `go install …@version` refuses modules that have `replace` or `exclude`, so that each is built from a module of its own.
build() {
  local name=$1 package=$2 module=$3
  [ -x "$folder/$name" ] && return
  local work
  work=$(mktemp -d)
  cat >"$work/tools.go" <<GO
//go:build tools

package tools

import _ "$package"
GO
  (
    cd "$work"
    printf 'module peers\n\ngo 1.24\n\nrequire %s\n' "$module" >go.mod
    GOFLAGS=-mod=mod go mod tidy -e >"$work/tidy.log" 2>&1 || { cat "$work/tidy.log"; exit 1; }
    GOFLAGS=-mod=mod go build -o "$folder/$name" "$package"
  )
  rm -rf "$work"
}

build prometheus3 github.com/prometheus/prometheus/cmd/prometheus 'github.com/prometheus/prometheus v0.316.0'
build victoria-metrics-new github.com/VictoriaMetrics/VictoriaMetrics/app/victoria-metrics \
  'github.com/VictoriaMetrics/VictoriaMetrics v1.151.0'
