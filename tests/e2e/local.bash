# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# What the gateway itself is short of: see run. These change the gateway's namespace or its
# processes while they run, so they cannot be part of a mix.
# shellcheck disable=SC2154 # work only comes from run

case_scarce_ports() { # DIR of a running why502
	local truth=$work/scarce-ports.tsv sent=0
	lab scarce ports on || return 1
	send "$truth" -r 0 -n 3 -d 0.3 --mix local-port-exhausted || sent=1
	lab scarce ports off
	[ $sent = 0 ] || return 1
	settle "$1" "$truth"
	judge "$1" "$truth" || return 1
	expect 'the range and what is in use of it' \
		grep -q '"ports":{"first":40000,"last":40003,"sockets":4}' <(of "$1" "$truth")
}

# The clients and what serves them are there before the limit is: then only a socket to the backend
# is too much. An answer that closes its client's connection makes room for the next one.
case_scarce_files() { # DIR of a running why502
	local truth=$work/scarce-files.tsv load n
	rm -f "$truth"
	lab load -o "$truth" -r 0 -n 4 -d 0.3 --mix fd-limit >"$truth.out" &
	load=$!
	for _ in $(seq 100); do
		n=$(lab access | grep -c '/fd-limit/')
		[ "$n" -lt 4 ] || break
		read -rt 0.05 <> <(:) || :
	done
	lab scarce files on
	wait $load
	lab scarce files off
	settle "$1" "$truth"
	judge "$1" "$truth" || return 1
	expect 'findings of fd-limit' grep -q 'seen [1-9]' "$truth.join"
}

case_scarce() { # GATEWAY
	local dir=$work/$1-scarce ports=0 files=0
	gateway_is "$1" || return 1
	why502_start "$dir" || return 1
	case_scarce_ports "$dir" || ports=1
	case_scarce_files "$dir" || files=1
	why502_stop "$dir"
	[ $ports$files = 00 ]
}

# ---- local sockets ----

# unix_result DIR TRUTH CAUSE TEXT: every finding of these requests says so
unix_result() {
	expect "findings of $2" grep -q . <(of "$1" "$2") || return 1
	of "$1" "$2" | grep -vF "\"cause\":\"$3\"" && { echo "expected: $3 alone"; return 1; }
	of "$1" "$2" | grep -vF "$4" && { echo "expected: $4"; return 1; }
	return 0
}

# How well connects to local sockets can be seen here: follow, begin or after (closer.h).
unix_sight() {
	"$O/why502" doctor 2>&1 | awk '
		/errors of local sockets/ && $1 == "ok" && !see { see = "after" }
		/local connects/ && $1 == "ok" { see = "begin" }
		/their results/ && $1 == "ok" { see = "follow" }
		END { print see }'
}

# Failed connects are explained, beside healthy ones and failures over TCP that keep their causes;
# what fails after a connect stays open, and says where.
unix_mix() { # NAME DIR of a running why502
	local truth=$work/$1.tsv open=$work/$1-open.tsv
	rm -f "$2/access"
	send "$truth" -r 60 -n 4 -d 1.5 \
		--mix unix,ok-unix,conn-refused,reset-before-response,backend-502,no-live-upstream || return 1
	settle "$2" "$truth"
	judged "$2" "$truth" || { cat "$truth.out"; return 1; }
	expect 'the path as upstream' grep -q '"upstream":{"path":"[^"]*missing.sock"}' <(of "$2" "$truth") || return 1
	expect 'no finding of a healthy one' eval "! of '$2' '$truth' | grep '\"target\":\"/ok'" || return 1
	send "$open" -r 40 -n 3 -d 0.4 --mix open || return 1
	settle "$2" "$open"
	unix_result "$2" "$open" insufficient-evidence 'local socket'
}

# The very first connect is one that fails.
unix_first() { # NAME DIR of a running why502, HOW
	local first=$work/$1-first.tsv
	# what comes right after the start may have been missed in part
	send "$work/$1-warm.tsv" -r 20 -n 2 -d 0.5 --mix ok-chunked || return 1
	send "$first" -r 0 -n 1 -d 0.1 --mix unix-missing || return 1
	settle "$2" "$first"
	case $3 in
	follow) judge "$2" "$first" ;;
	# at times why502 is there before the call has returned
	begin) unix_result "$2" "$first" insufficient-evidence 'missing.sock was seen just before' ||
		judge "$2" "$first" ;;
	after) unix_result "$2" "$first" insufficient-evidence 'or a local socket failed' ;;
	*) echo 'skip: no way to see connects to local sockets here'; return 1 ;;
	esac
}

case_unix() { # GATEWAY [HOW why502 shall see them]
	local dir=$work/$1-unix${2:+-$2} how=${2:-$(unix_sight)} bad=0
	gateway_is "$1" || return 1
	why502_start "$dir" || return 1
	unix_first "$1-unix${2:+-$2}" "$dir" "$how" && unix_mix "$1-unix${2:+-$2}" "$dir" || bad=1
	why502_stop "$dir"
	return $bad
}

# As on a kernel without the hooks.
case_unix_without() { # HOW MISSING
	case $1-$(unix_sight) in
	begin-follow|after-follow|after-begin) WHY502_WITHOUT=$2 case_unix nginx "$1" ;;
	*) echo "skip: this kernel cannot do more than $(unix_sight)"; return 1 ;;
	esac
}

# nginx tries to reach its log at the end of every request, in vain.
case_unix_log() {
	local dir=$work/unix-log truth=$work/unix-log.tsv bad=0
	LAB_SYSLOG=1 lab up --gateway nginx >"$work/up" 2>&1 || { cat "$work/up"; return 1; }
	why502_start "$dir" || return 1
	{
		send "$truth" -r 60 -n 4 -d 1 --mix conn-refused,reset-before-response,ok-unix,unix-missing &&
			settle "$dir" "$truth" && judge "$dir" "$truth" &&
			expect 'no word of the log' eval "! grep nobody.sock '$dir/findings.ndjson'" &&
			expect 'that nginx did try' grep -q 'send() to syslog failed' "$state/log/error.log"
	} || bad=1
	why502_stop "$dir"
	lab up --gateway nginx >"$work/up" 2>&1
	return $bad
}
