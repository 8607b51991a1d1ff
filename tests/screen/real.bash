# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash disable=SC2154	# what it uses comes from tests/screen/run
# Sourced by tests/screen/run: the program itself on a real terminal (tmux), on replays and
# on a trace that is fed while it runs. Screens are compared as text with expect/real-*.txt.

why502=$(realpath "$O/why502" 2>/dev/null) || { echo "skip real $O/why502 is not built"; return 0; }
hostile=$(dirname "$driver")/hostile
packets=$(realpath tests/replay/packets.w5)

# real OPTIONS [ENV...]: the program in a shell, as start() does the driver.
real() {
	local opts=$1
	shift
	t kill-server 2>/dev/null
	socket=$work/tmux.$((${socket##*.} + 1))
	t new-session -d -s v -x "${cols:-80}" -y "${rows:-24}" env PS1='ready> ' TZ=UTC \
		HOME="$work/home" XDG_CONFIG_HOME= XDG_STATE_HOME= "$@" bash --norc --noprofile ||
		return 1
	mkdir -p "$work/here"
	until_shown 'ready>' || return 1
	t send-keys -t v "cd $work/here; stty -a | md5sum >$work/before; $why502 $opts; rc=\$?; stty -a | md5sum >$work/after; echo ended=\$rc" Enter
}
real_pid() { pgrep -P "$(t display -p -t v '#{pane_pid}')" -x why502; }
# gone PID: no longer there, or dead and waiting for whoever inherited it.
gone() {
	local i
	for ((i = 0; i < 200; i++)); do
		[[ $(ps -o stat= -p "$1") = [!Z]* ]] || return 0
		sleep 0.05
	done
	echo "still running"
	kill -KILL "$1"
	return 1
}
# same NAME: what is on the screen now, against the golden one.
same() {
	show | sed 's/[[:space:]]*$//' >"$work/real-$1.txt"
	if [ $golden = 1 ]; then
		cp "$work/real-$1.txt" "$expect/real-$1.txt"
	else
		diff -u "$expect/real-$1.txt" "$work/real-$1.txt"
	fi
}
# click X Y, wheel down|up X Y: as a terminal tells it to a program that TERM=screen describes.
mouse() { t send-keys -t v -l "$(printf '\033[M%b%b%b' "\\x$(printf %x $((32 + $1)))" "\\x$(printf %x $((33 + $2)))" "\\x$(printf %x $((33 + $3)))")"; }
click() { mouse 0 "$1" "$2" && mouse 3 "$1" "$2"; }

real_first_screen() {
	real "-r '$packets'" && until_shown 'WHY: 14' && until_shown 'q Quit' && same first-screen
}
real_wide() {
	cols=120 rows=40 real "-r '$packets'" && until_shown 'WHY: 14' && until_shown 'q Quit' && same wide
}
real_ladder() {
	real "-r '$packets'" && until_shown 'q Quit' && t send-keys -t v Home Enter &&
		until_shown '1 of 17' && until_shown 'q Back' && same ladder
}
real_very_wide_ladder() {
	cols=200 rows=50 real "-r '$packets'" && until_shown 'q Quit' &&
		t send-keys -t v / 'tries>1' Enter && until_shown 'Filter:' && t send-keys -t v Home Enter &&
		until_shown 'try 2 10.77' && until_shown 'q Back' && same two-lanes
}
real_selects_sorts_and_saves() {
	rm -f "$work"/saved.*
	real "-r '$packets'" && until_shown 'q Quit' && t send-keys -t v Home Space Space F6 &&
		until_shown 'Sort by' && t send-keys -t v Down Down Down Down Down Down Enter &&
		until_shown 'by MS' && until_shown '2 selected' && t send-keys -t v s &&
		until_shown '(*) selected (2)' && t send-keys -t v C-u &&
		t send-keys -t v -l "$work/saved.ndjson" && until_shown '(*) ndjson' &&
		t send-keys -t v Enter && until_shown '2 exchanges saved' || return 1
	[ "$(grep -c '"type":"finding"' "$work/saved.ndjson")" = 2 ] || { cat "$work/saved.ndjson"; return 1; }
	t send-keys -t v s C-u && t send-keys -t v -l "$work/saved.pcap" && until_shown '(*) pcap ' &&
		t send-keys -t v Enter && until_shown 'packets saved' &&
		[ -s "$work/saved.pcap" ] && [ "$(stat -c %a "$work/saved.pcap")" = 600 ] || return 1
	t send-keys -t v s C-u && t send-keys -t v -l "$work/no/such/dir" && t send-keys -t v Enter &&
		until_shown 'Not saved: cannot write' && t send-keys -t v Q && restored ended=1
}
# The terminal is asked for presses only: motion is none of ours, and Shift stays the terminal's.
real_mouse() {
	real "-r '$packets'" && until_shown 'q Quit' || return 1
	[ "$(t display -p -t v '#{mouse_standard_flag}#{mouse_button_flag}#{mouse_any_flag}')" = 101 ] ||
		[ "$(t display -p -t v '#{mouse_standard_flag}#{mouse_button_flag}')" = 10 ] || return 1
	click 20 12 && until_shown '>05:10:44.879' && click 20 12 && until_shown '7 of 17' &&
		t send-keys -t v Escape && until_shown 'q Quit' &&
		mouse 64 5 15 && until_shown '>05:10:44.415' && mouse 65 5 15 && until_shown '>05:10:44.879' &&
		click 1 "$(($(show | grep -n ' TIME' | cut -d: -f1) - 1))" && until_shown 'newest first' &&
		click "$(show | tail -1 | awk '{ print index($0, "/ Filter") }')" 23 && until_shown 'Filter:' &&
		t send-keys -t v Escape Q && restored ended=1 || return 1
	[ "$(t display -p -t v '#{mouse_any_flag}')" = 0 ] || { echo "the mouse was not given back"; return 1; }
}
real_no_mouse() {
	real "-r '$packets' --no-mouse" && until_shown 'q Quit' &&
		[ "$(t display -p -t v '#{mouse_any_flag}')" = 0 ]
}
# A killed program cannot give the mouse back itself.
real_mouse_after_kill() {
	local i
	real "-r '$packets'" && until_shown 'q Quit' && kill -KILL "$(real_pid)" && until_shown 'ended=137' || return 1
	for ((i = 0; i < 200; i++)); do
		[ "$(t display -p -t v '#{mouse_any_flag}#{alternate_on}')" = 00 ] && return 0
		sleep 0.05
	done
	return 1
}
real_stop_and_continue() {
	real "-r '$packets'" && until_shown 'q Quit' && t send-keys -t v Home && until_shown '>05:10:44.129' &&
		t send-keys -t v C-z && until_shown 'Stopped' || return 1
	[ "$(t display -p -t v '#{alternate_on}#{mouse_any_flag}')" = 00 ] || return 1
	t send-keys -t v fg Enter && until_shown '>05:10:44.129' && until_shown 'q Quit' &&
		t send-keys -t v End && until_shown '>05:10:54.584' && t send-keys -t v q && until_shown 'ended='
}
real_resize() {
	real "-r '$packets'" && until_shown 'q Quit' &&
		t resize-window -t v -x 120 -y 40 && until_shown 'CLIENT' &&
		t resize-window -t v -x 40 -y 10 && until_shown 'This terminal has 40x10' && same 40x10 &&
		t send-keys -t v s Enter Space F6 && t resize-window -t v -x 80 -y 24 && until_shown 'q Quit' &&
		until_shown '17 listed, following ──' && t resize-window -t v -x 40 -y 10 &&
		until_shown 'This terminal' && t send-keys -t v q && until_shown ended=1
}
real_hangup() {
	local pid
	real "-r '$packets'" && until_shown 'q Quit' || return 1
	pid=$(real_pid)
	t kill-server
	gone "$pid"
}
real_sighup() {
	real "-r '$packets'" && until_shown 'q Quit' && kill -HUP "$(real_pid)" && restored ended=1
}
real_dumb() {
	real "-r '$packets'" TERM=dumb && until_shown 'use -o text' && until_shown 'ended=4'
}
real_no_utf8() {
	real "-r '$packets'" LC_ALL=C && until_shown '+ WHY: 14' && until_shown 'q Quit' && same ascii &&
		! show | LC_ALL=C grep -q $'[\x80-\xff]'
}
real_mono() {
	real "-r '$packets' --theme mono" && until_shown 'q Quit' && t send-keys -t v Home Enter && until_shown 'q Back' ||
		return 1
	! t capture-pane -e -p -t v | grep -q $'\x1b\\[[0-9;]*[34][0-7]m' &&
		t capture-pane -e -p -t v | grep -q $'\x1b\\[[0-9;]*7mRST-ACK'
}
real_hostile_bytes() {
	"$hostile" "$work/hostile.w5" && cols=100 real "-r '$work/hostile.w5'" && until_shown 'q Quit' && same hostile &&
		t send-keys -t v Home Enter && until_shown 'q Back' && same hostile-ladder &&
		[ "$(t display -p -t v '#{pane_title}')" != owned ]
}
real_evicts() {
	"$hostile" "$work/many.w5" 250 && real "-r '$work/many.w5' --max-exchanges 100" &&
		until_shown '100 listed' && until_shown '161 older not listed' && t send-keys -t v Home &&
		until_shown '/plain/161'
}

# ---- a trace that is written while the view is open -------------------------------

# feed FILE FROM TO: bytes of a trace, into the FIFO behind descriptor 9.
feed() { head -c "$3" "$1" | tail -c $(($3 - $2)) >&9; }
follow() {
	rm -f "$work/fifo"
	mkfifo "$work/fifo" && exec 9<>"$work/fifo"
}
real_follows_a_stream() {
	local all half
	"$hostile" "$work/many.w5" 250 && follow && all=$(stat -c %s "$work/many.w5") && half=$((all / 2)) &&
		feed "$work/many.w5" 0 60000 && real "-r '$work/fifo'" && until_shown 'LIVE' &&
		until_shown '28 listed' && t send-keys -t v Home Space p && until_shown 'PAUSED +0' || return 1
	feed "$work/many.w5" 60000 120000 && until_shown 'PAUSED +3' && until_shown '28 listed' &&
		t send-keys -t v / 'path~/plain/13' Enter && until_shown '1 of 28 listed' &&
		t send-keys -t v Escape p && until_shown '63 listed' && until_shown '1 selected' &&
		feed "$work/many.w5" 120000 "$half" && exec 9>&- && until_shown 'REPLAY' &&
		t send-keys -t v q && until_shown 'ended='
}
# Nothing comes, and nothing ends: keys and Ctrl-C work all the same.
real_quits_an_idle_stream() {
	follow && feed "$packets" 0 5000 && real "-r '$work/fifo'" && until_shown 'q Quit' && t send-keys -t v C-c &&
		until_shown 'ended=' && real "-r '$work/fifo' -o ndjson" && feed "$packets" 0 5000 &&
		until_shown '"ready"' && t send-keys -t v C-c && until_shown 'ended=' || return 1
	exec 9>&-
}

for c in first_screen wide ladder very_wide_ladder selects_sorts_and_saves mouse no_mouse mouse_after_kill \
	stop_and_continue resize hangup sighup dumb no_utf8 mono hostile_bytes evicts follows_a_stream \
	quits_an_idle_stream; do
	[ -z "${ONLY:-}" ] || [[ $c = $ONLY ]] || continue
	if "real_$c"; then ok "real-${c//_/-}"; else not_ok "real-${c//_/-}"; fi
done
