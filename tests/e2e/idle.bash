# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# Two timeouts side by side: idle connections that the backend closes before the gateway does, told
# before anything fails; and a gateway's timer beside the time the backend needed. The truth is the
# backend's log. See run.
# shellcheck disable=SC2154 # work, state, top, only come from run

# port_of FAULT: the backend's
port_of() { lab rows | awk -F '|' -v f="$1" '$2 == f { sub(/.*:/, "", $6); print $6 }'; }

# twice FAULT N: two requests of one client, the second one on the first one's connection if the
# gateway keeps it
twice() {
	lab exec client curl -s -o "$work/body" -o "$work/body" "http://10.77.1.1:8080/$1/00000000${2}a" \
		"http://10.77.1.1:8080/$1/00000000${2}b"
}

# gone PORT...: the gateway has no open connection to these
gone() {
	local ports
	ports=$(printf ' or dport = :%s' "$@")
	for _ in $(seq 200); do
		[ -n "$(lab exec gateway ss -Htn state established "( ${ports# or } )")" ] || return 0
		read -rt 0.05 <> <(:) || :
	done
	echo "connections to $* are still open"
	return 1
}

# idle_ages PORT EVENT: shortest and longest time from a connection's last request to EVENT, in ms,
# as the backend has logged it, which answers at once
idle_ages() {
	awk -F '\t' -v port="$1" -v event="$2" '
		$5 != port { next }
		{ conn = $3 ":" $4 }
		$2 == "request" { asked[conn] = $1 }
		$2 == event && conn in asked {
			ms = ($1 - asked[conn]) / 1000
			if (!n++ || ms < min) min = ms
			if (ms > max) max = ms
		}
		END { printf "%d %d\n", min, max + 1 }' "$state/log/backend.log"
}

# warned DIR PORT: the warning about it
warned() { jq -ecn "first(inputs | select(.type == \"warning\" and .upstream.port == $2))" "$1/findings.ndjson"; }

# A reading is as the log has it, but for the way there and a clock's tick.
slack=30

# about WHAT MS MIN MAX
about() {
	expect "$1 between $3 and $4 ms, not $2" [ "$2" -ge $(($3 - slack)) ] &&
		expect "$1 between $3 and $4 ms, not $2" [ "$2" -le $(($4 + slack)) ]
}

# The gateway's own timer shows where the backend would keep its connections; an Apache closes
# them when it needs one, a HAProxy when it has had none to spare for a while.
shows_timer() { [ "$1" = nginx ] || [ "$1" = caddy ]; }

case_race_ahead() { # GATEWAY [tls-]
	local gateway=$1 tls=${2:-} dir=$work/$1-${2:-}ahead near kept said fault=keepalive-race-fin i w min max
	gateway_is "$gateway" || return 1
	[ -z "$tls" ] || fault=tls-race-fin
	near=$(port_of "$fault") kept=$(port_of "${tls}idle-kept") said=$(port_of "${tls}idle-said")
	why502_start "$dir" || return 1
	for i in 1 2 3 4 5 6 7 8; do
		twice "${tls}idle-kept" "$i$i" || return 1
		# the gateway's timer is known before the warning
		[ "$i" = 1 ] || twice "$fault" "$i$i" || return 1
		[ "$i" -gt 2 ] || twice "${tls}idle-said" "$i$i" || return 1
		gone "$near" || return 1
		[ "$i" -gt 2 ] || gone "$said" || return 1
		shows_timer "$gateway" && { gone "$kept" || return 1; }
		[ "$i" -lt 4 ] || ! warned "$dir" "$near" >/dev/null || break
	done
	expect 'a warning' lines "$dir/findings.ndjson" "\"warning\".*\"port\":$near" 1 5 "${pid_of[$dir]}" || return 1
	expect 'one by the header' lines "$dir/findings.ndjson" "\"warning\".*\"port\":$said" 1 5 "${pid_of[$dir]}" || return 1
	why502_stop "$dir"
	w=$(warned "$dir" "$near") || return 1
	echo "$w"
	read -r min max < <(idle_ages "$near" fin)
	about 'the backend closes' "$(jq .backend_idle_ms <<<"$w")" "$min" "$max" || return 1
	expect 'seen at least three times' [ "$(jq '.seen >= 3 and .source == "closes"' <<<"$w")" = true ] || return 1
	w=$(warned "$dir" "$said") || return 1
	echo "$w"
	expect 'what its header says' [ "$(jq '.backend_idle_ms == 1000 and .source == "keep-alive-header"' <<<"$w")" = true ] || return 1
	expect 'no warning where the gateway is first' eval "! warned '$dir' '$kept'" || return 1
	expect 'nothing has failed' [ "$stopped" = 0 ] || return 1
	w=$(tail -n 1 "$dir/findings.ndjson" | jq -c ".pools[] | select(.upstream.port == $kept)")
	if shows_timer "$gateway"; then
		read -r min max < <(idle_ages "$kept" peer-closed)
		about 'the gateway closes' "$(jq '.gateway_idle_ms // 0' <<<"$w")" "$min" "$max" || return 1
		w=$(warned "$dir" "$near")
		about 'and both are told' "$(jq '.gateway_elsewhere_ms // 0' <<<"$w")" "$min" "$max" || return 1
	fi
}

# HTTP/2: a backend that closes without a word races, one that says GOAWAY does not.
case_race_ahead_h2() { # GATEWAY
	local dir=$work/$1-h2-ahead i f w min max
	gateway_is "$1" && why502_start "$dir" || return 1
	for i in 1 2 3 4 5; do
		for f in h2-idle-mute h2-idle-goaway h2-tls-idle-mute h2-tls-idle-goaway; do
			twice "$f" "$i$i" || return 1
		done
		gone 9220 9221 9222 9223 || return 1
		# one occasion per second
		read -rt 0.5 <> <(:) || :
	done
	why502_stop "$dir"
	expect 'no race where there is a GOAWAY' eval "! warned '$dir' 9221 && ! warned '$dir' 9223" || return 1
	for f in 9220 9222; do
		w=$(warned "$dir" "$f") || { echo "no warning of $f"; return 1; }
		echo "$w"
		read -r min max < <(idle_ages "$f" fin)
		about 'the backend closes' "$(jq .backend_idle_ms <<<"$w")" "$min" "$max" || return 1
	done
	expect 'nothing has failed' [ "$stopped" = 0 ]
}

# Answers that come after the gateway has given up tell of the next ones what both would need.
case_late_answer() { # GATEWAY DIR FAULT
	local gateway=$1 dir=$2 fault=$3 truth=$work/$1-$3-1.tsv next=$work/$1-$3-2.tsv f min max
	send "$truth" -r 0 -n 2 -d 0.1 --mix "$fault" || return 1
	settle "$dir" "$truth"
	# HAProxy ends such a connection with a reset: the answer is never sent
	[ "$gateway" = haproxy ] || lines "$state/log/backend.log" "say.*$(tag_of "$truth")" 2 5 ||
		{ echo 'the backend did not answer late'; return 1; }
	: >"$next.all"
	for _ in 1 2 3 4; do # a busy host may be so late that it looks like another timer
		send "$next" -r 0 -n 1 -d 0.1 --mix "$fault" || return 1
		cat "$next" >>"$next.all"
		settle "$dir" "$next"
		f=$(of "$dir" "$next" | head -n 1)
		[ "$(jq '.timer.seen >= 3' <<<"$f")" != true ] || break
	done
	echo "$f" | jq -c '.timer, .next'
	expect 'the timer, seen before' [ "$(jq '.timer.phase == "answer" and .timer.seen >= 3' <<<"$f")" = true ] || return 1
	# the driver's clock: from the request to what the client got
	read -r min max < <(awk -F '\t' '{ ms = $10 / 1000 } NR == 1 || ms < min { min = ms } ms > max { max = ms }
		END { printf "%d %d\n", min, max + 1 }' "$truth" "$next.all")
	about 'the timer' "$(jq '.timer.ms | round' <<<"$f")" "$min" "$max" || return 1
	if [ "$gateway" = haproxy ]; then
		expect 'no late answer' [ "$(jq '.timer.late_answers' <<<"$f")" = null ]
		return
	fi
	read -r min max < <(awk -F '\t' -v port="$(port_of "$fault")" '
		$5 != port { next }
		{ conn = $3 ":" $4 }
		$2 == "request" { asked[conn] = $1 }
		$2 == "say" && conn in asked { ms = ($1 - asked[conn]) / 1000; if (!n++ || ms < min) min = ms; if (ms > max) max = ms }
		END { printf "%d %d\n", min, max + 1 }' "$state/log/backend.log")
	about 'the late answer' "$(jq '.timer.late_answers.longest_ms | round' <<<"$f")" "$min" "$max" || return 1
	expect 'both times in the next step' [ "$(jq '.next | test("answers such requests after .*, the gateway waits ")' <<<"$f")" = true ]
}

case_late_answer_of() { # GATEWAY FAULT
	local dir=$work/$1-$2 rc
	gateway_is "$1" && why502_start "$dir" || return 1
	case_late_answer "$1" "$dir" "$2"
	rc=$?
	why502_stop "$dir"
	return $rc
}
