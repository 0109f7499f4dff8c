# What must be true when the load has ended: read back from the cluster, and compared with what was sent.
#
# In `$work`: `header`, the columns of a payment; `stream/` and `visits/`, the batches that were to be sent; `stream.fed`,
# `stream.errors` and `visits.done`, what became of them; NAME.condition and NAME.events of each subscriber.
# `addresses` are those of the nodes, and `everywhere` is their list.
# shellcheck shell=bash disable=SC2154

export LC_ALL=C # one order for sort, comm and join

sent() { # every payment that was acknowledged, as CSV; and how many, as `acknowledged`
  local batches=()
  mapfile -t batches <"$work/stream.fed"
  rows_of "${batches[@]}" >"$work/stream.csv"
  # The client that stays says which lines were refused in the end; the lines that it counts are those of this file.
  sed -n 's/^skipped .*line \([0-9]*\)\b.*/\1/p' "$work/stream.errors" >"$work/stream.refused"
  mapfile -t batches < <(cut -d' ' -f1 "$work/visits.done")
  { awk 'FILENAME == ARGV[1] { refused[$1]; next } !(FNR in refused)' "$work/stream.refused" "$work/stream.csv"; cat "${batches[@]}"; } \
    >"$work/sent.csv"
  local read acknowledged skipped
  read -r read acknowledged skipped < <(jq --raw-output '"\(.read) \(.acknowledged) \(.skipped)"' "$work/stream.loaded")
  # No line is unaccounted for.
  ((read == $(wc -l <"$work/stream.csv") - 1 && acknowledged + skipped == read && skipped == $(wc -l <"$work/stream.refused")))
  note acknowledged $(($(wc -l <"$work/sent.csv") - 1))
  note refused "$skipped"
}

# Rows as lines that are equal if the rows are: the key, a tab, the columns in their order. Adding zero makes one number
# of all its spellings.
cells='def cell: if type == "number" then . + 0 else . end;'
sent_rows() {
  tail -n +2 "$1" | jq --raw-input --raw-output "$cells"'
    def value: if . == "" then null elif . == "true" then true elif . == "false" then false else (tonumber? // .) end;
    split(",") | "\(.[0])\t\(.[1:] | map(value | cell) | tojson)"' | sort
}
stored_rows() {
  jq --raw-output --arg header "$(cat "$work/header")" "$cells"'
    def epoch_ms: (.[:19] + "Z" | fromdateiso8601) * 1000 + (.[19:] | rtrimstr("Z") | "0" + . | tonumber * 1000 | round);
    ($header | split(",")[1:]) as $columns
    | .row.time |= epoch_ms
    | "\(.key)\t\(.row as $row | [$columns[] | $row[.] | cell] | tojson)"' "$1" | sort
}

check_rows() { # every acknowledged row is there, as it was sent, with the score that the model gives it here
  sent
  at "$everywhere" map query payments --where '__key > 0' >"$work/stored.json"
  expect ".[0].size == $(wc -l <"$work/stored.json")" at "$everywhere" map size payments
  sent_rows "$work/sent.csv" >"$work/sent.rows"
  stored_rows "$work/stored.json" >"$work/stored.rows"
  cut -f1 "$work/sent.rows" >"$work/sent.keys"
  cut -f1 "$work/stored.rows" >"$work/stored.keys"
  comm -23 "$work/sent.keys" "$work/stored.keys" >"$work/lost"
  comm -23 "$work/sent.rows" "$work/stored.rows" | cut -f1 | comm -23 - "$work/lost" >"$work/wrong.rows"

  "$work/embergrid" --json model run models/payments/1 --input "$work/sent.csv" |
    jq '.outputs.probabilities[1]' >"$work/scores"
  paste <(tail -n +2 "$work/sent.csv" | cut -d, -f1) "$work/scores" | sort >"$work/sent.scores"
  jq --raw-output '"\(.key)\t\(.row.fraud)"' "$work/stored.json" | sort >"$work/stored.scores"
  # The last digit may differ: batches of another size add up in another order.
  join "$work/sent.scores" "$work/stored.scores" |
    awk '{ d = $2 - $3 } $3 == "null" || d > 1e-6 || d < -1e-6' >"$work/wrong.scores"
  note lost "$(wc -l <"$work/lost")"
  note wrong_rows "$(wc -l <"$work/wrong.rows")"
  note wrong_scores "$(wc -l <"$work/wrong.scores")"
}

check_nodes() { # whichever node is asked, the answer is the same
  local address
  sort "$work/stored.json" >"$work/stored.sorted"
  for address in "${addresses[@]}"; do
    at "$address" map query payments --where '__key > 0' | sort | cmp - "$work/stored.sorted"
    expect '.[0].row.fraud != null' at "$address" map get payments "$(head -1 "$work/sent.keys")"
  done
}

keys_of() { # keys_of EVENT FILE; not by jq, for most of an event is its token
  sed -n "s/^{\"event\":\"$1\",\"key\":\([0-9]*\),.*/\1/p" "$2" | sort
}
check_watch() { # check_watch NAME: what satisfies the condition has come, once
  local name=$1
  keys_of added "$work/$name.events" >"$work/$name.added"
  keys_of snapshot "$work/$name.events" | sort --unique - "$work/$name.added" >"$work/$name.seen"
  comm -23 "$work/$name.true" "$work/$name.seen" >"$work/$name.missed"
  comm -13 "$work/$name.true" "$work/$name.seen" >"$work/$name.untrue"
  uniq --repeated "$work/$name.added" >"$work/$name.twice"
  note "$name" "{
    \"added\": $(wc -l <"$work/$name.added"),
    \"missed\": $(wc -l <"$work/$name.missed"),
    \"twice\": $(wc -l <"$work/$name.twice"),
    \"untrue\": $(wc -l <"$work/$name.untrue"),
    \"overruns\": $(grep --count '"event":"overrun"' "$work/$name.events" || true)
  }"
}
# A subscriber is some steps behind: wait until it has been told all, and then a little, for what should not come.
is_told() { (($(grep --count '"event":"added"' "$work/$1.events") >= $(wc -l <"$work/$1.true"))); }
settle() { # settle NAME
  at "$everywhere" map query payments --where "$(cat "$work/$1.condition")" | jq .key | sort >"$work/$1.true"
  [[ -s $work/$1.true ]]
  within 60 is_told "$1" || true # what has not come is counted as missed
}
