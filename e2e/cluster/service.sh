#!/bin/bash
# service.sh: the programs of the running cluster, one by one.
#
#   service.sh status                  all of them
#   service.sh stop NAME               ends it (SIGTERM, after 5 s SIGKILL); it stays stopped
#   service.sh start NAME [FLAG...]    as up.sh started it, plus these flags
#   service.sh restart NAME [FLAG...]  stop and start; without flags: as up.sh started it
#   service.sh kill NAME               SIGKILL; like any service that ends by itself it comes back after 1 s
#   service.sh pause|resume NAME       SIGSTOP, SIGCONT: it hangs, and its connections stay open
#   service.sh log NAME                where its log is
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

services=$state/service

# In service/NAME: argv (by up.sh) and flags (by start), NUL-separated; supervisor.pid and .argv; pid (of the
# program itself); starts, a count.

read_args() { [[ ! -e $1 ]] || mapfile -d '' -t "$2" <"$1"; }

# Keeps one service running until SIGTERM.
supervise() {
  local dir=$services/$1 log=$state/log/$1.log argv=() flags=() starts=0 child='' ending=''
  read_args "$dir/argv" argv
  read_args "$dir/flags" flags
  trap 'ending=1; end_child' TERM
  cd "$state"
  while [[ ! $ending ]]; do
    "${argv[@]}" "${flags[@]}" >>"$log" 2>&1 </dev/null &
    child=$!
    echo "$child" >"$dir/pid"
    echo $((++starts)) >"$dir/starts"
    while kill -0 "$child" 2>/dev/null; do wait "$child" || true; done
    [[ $ending ]] && break
    echo "--- $1 ended by itself; starting it again" >>"$log"
    child=
    sleep 1 &
    wait $! || true
  done
  rm -f "$dir/pid"
}

end_child() {
  [[ $child ]] || return 0
  kill -TERM "$child" 2>/dev/null || return 0
  kill -CONT "$child" 2>/dev/null || true # it may be paused
}

supervised() { runs "$services/$1/supervisor.pid" "$services/$1/supervisor.argv"; }

child_of() { # NAME: prints the process ID, if it runs
  local pid
  pid=$(cat "$services/$1/pid" 2>/dev/null) && [[ -e /proc/$pid ]] &&
    [[ $(readlink "/proc/$pid/exe") == "$(head -zn 1 "$services/$1/argv" | tr -d '\0')"* ]] &&
    echo "$pid"
}

start() {
  local name=$1
  shift
  supervised "$name" && return
  local orphan
  orphan=$(child_of "$name") && kill -KILL "$orphan" # its supervisor was killed and left it alone
  rm -f "$services/$name/pid"
  printf '%s\0' "$@" >"$services/$name/flags"
  (($#)) || : >"$services/$name/flags"
  setsid "$BASH" "$here/service.sh" supervise "$name" "$services" >>"$state/log/$name.log" 2>&1 </dev/null 9>&- &
  echo $! >"$services/$name/supervisor.pid"
  printf '%s\0' "$BASH" "$here/service.sh" supervise "$name" "$services" >"$services/$name/supervisor.argv"
  { wait_for 5 supervised "$name" && wait_for 5 test -e "$services/$name/pid"; } || die "$name does not start: see $state/log/$name.log"
}

stop() {
  local pid
  supervised "$1" || return 0
  pid=$(cat "$services/$1/supervisor.pid")
  kill -TERM "$pid"
  # Not longer: the API server alone would wait a minute for its watchers.
  wait_for 5 test ! -e "/proc/$pid" || signal KILL "$1"
  wait_for 5 test ! -e "/proc/$pid" || die "$1 does not end"
}

signal() { # SIGNAL NAME
  local pid
  pid=$(child_of "$2") || die "$2 is not running"
  kill "-$1" "$pid"
}

status() {
  local dir name pid
  for dir in "$services"/*/; do
    name=$(basename "$dir")
    if ! supervised "$name"; then
      printf '%-22s stopped\n' "$name"
    elif ! pid=$(child_of "$name"); then
      printf '%-22s ended by itself, starting again\n' "$name"
    else
      printf '%-22s %-8s pid %-8s started %s times\n' "$name" \
        "$([[ $(cut -d' ' -f3 "/proc/$pid/stat") == T ]] && echo paused || echo running)" \
        "$pid" "$(cat "$dir/starts")"
    fi
  done
}

usage() {
  sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0" >&2
  exit 1
}

command=${1:-}
[[ $command ]] || usage
shift
[[ $command == supervise ]] && services=$2 state=${2%/service}
[[ -d $services ]] || die "no cluster is up in $state"
if [[ $command != status ]]; then
  name=${1:-}
  [[ $name && -d $services/$name ]] ||
    die "no service \"$name\"; there are: $(cd "$services" && echo *)"
fi
case $command in
  status) status ;;
  start) start "$@" ;;
  stop) stop "$name" ;;
  restart)
    stop "$name"
    start "$@"
    ;;
  kill) signal KILL "$name" ;;
  pause) signal STOP "$name" ;;
  resume) signal CONT "$name" ;;
  log) echo "$state/log/$name.log" ;;
  supervise) supervise "$name" ;;
  *) usage ;;
esac
