# What the tests of the image share: a report, waits that end, and an end that leaves nothing behind.
#
# A test defines `show`, which says on stderr what explains a failure, and `clean`, which removes what the test made; and
# it keeps `step`, the name of what is being done, up to date. All its files are in `$work`.
# shellcheck shell=bash
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
image=${EMBERGRID_IMAGE:-embergrid}
work=
report=
step="the start"

begin() { # begin TEST: from here on the test ends with its report, whatever happens
  report="{\"test\":\"$1\",\"ok\":false}"
  work=$(mktemp -d)
  trap finish EXIT
  trap 'exit 130' INT TERM
  note image_bytes "$(docker image inspect --format '{{.Size}}' "$image")"
  local container
  container=$(docker create "$image")
  docker cp "$container:/opt/embergrid/embergrid" "$work/embergrid"
  docker rm --volumes "$container" >/dev/null
}
finish() {
  local code=$?
  trap - EXIT
  if ((code)); then
    echo "failed at $step" >&2
    show || true
    note failed "\"$step\""
  fi
  clean || true
  if ((code)) && [[ -n ${KEEP-} ]]; then
    rm -f "$work/embergrid"
    mkdir -p "$KEEP"
    cp -r "$work/." "$KEEP/"
  fi
  rm -rf "$work"
  echo "$report"
  exit "$code"
}

note() { report=$(jq --compact-output --argjson value "$2" ".$1 = \$value" <<<"$report"); } # note KEY JSON
now_ms() { echo $(($(date +%s%N) / 1000000)); }
at() { # at ADDRESSES COMMAND...: the client, which is not waited for for ever
  local addresses=$1
  shift
  timeout 120 "$work/embergrid" --addr "$addresses" --json "$@"
}
expect() { # expect FILTER COMMAND...: what the command prints, all its lines as one array, satisfies the filter
  local filter=$1
  shift
  "$@" >"$work/answer"
  jq --exit-status --slurp "$filter" "$work/answer" >/dev/null || { echo "not $filter: $(cat "$work/answer")" >&2; return 1; }
}
within() { # within SECONDS COMMAND...: repeats the command until it succeeds
  local give_up=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < give_up)) || { echo "not in time: $*" >&2; return 1; }
    sleep 0.1
  done
}
# A busy machine is no fault of the image: the deadline of a score is not what is tested.
patient() { sed 's/^deadline_ms = .*/deadline_ms = 60000/' "$1" >"$work/binding.toml"; } # patient BINDING
