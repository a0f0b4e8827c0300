# shop.sh: the application of the demo, for scripts that source it: a shop whose orders are in a
# MariaDB where this machine has one, else in SQLite. Both print in their first line what they have
# found in their books.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # what it sets, and $work, are of the script that sources it

# Sets, for the one that $APP names, else for the one that works here:
#   shop, kept_in                the manifest; where the orders are, in words
#   silent_hold                  a held hook that has frozen when /tmp/$HOSTNAME.held is there
#   orders                       how many there are
#   longest_pause                between two orders, in ms
#   first_order_after SECONDS    how many ms after that time (of the epoch) it came
#   lose_all                     destroys both books
choose_shop() {
  PATH=$PATH:/usr/sbin:/sbin # where Debian has mariadbd
  case ${APP:-} in
    mariadb | sqlite) choose_"$APP" ;;
    "") if works_mariadb; then choose_mariadb; else choose_sqlite; fi ;;
    *)
      echo "demo: APP is mariadb or sqlite, not \"$APP\"" >&2
      return 2
      ;;
  esac
}

# Can this user make a database here? There may be a policy about where mariadbd writes.
works_mariadb() {
  command -v mariadbd mariadb mariadb-install-db >/dev/null || return
  mariadb-install-db --no-defaults --user="$(id -un)" --datadir="$work/try" \
    --skip-test-db --innodb-log-file-size=16M >"$work/try.log" 2>&1 && rm -rf "$work/try" && return
  rm -rf "$work/try"
  echo "There is a MariaDB here, but it makes no database:"
  tail -n 3 "$work/try.log"
  return 1
}

in_shop() { k exec deploy/shop -- "$@"; }

choose_mariadb() {
  shop=examples/pocket/mariadb.yaml
  kept_in="a MariaDB, ledger lines in a file ($(mariadbd --version | grep -oE '[0-9][^ ]*-MariaDB'))"
  # shellcheck disable=SC2016  # for the shell in the container
  silent_hold='exec mariadb --unbuffered -e "FLUSH TABLES WITH READ LOCK;
\! touch /tmp/$HOSTNAME.held; cat >/dev/null"'

  sql() { in_shop mariadb -N -B shop -e "$1"; }
  orders() { sql 'SELECT COUNT(*) FROM orders'; }
  longest_pause() {
    sql 'SELECT CAST(ROUND(MAX(gap) * 1000) AS INT)
         FROM (SELECT at - LAG(at) OVER (ORDER BY id) AS gap FROM orders) AS gaps'
  }
  first_order_after() {
    sql "SELECT CAST(ROUND((MIN(at) - $1) * 1000) AS INT) FROM orders WHERE at > $1"
  }
  lose_all() {
    # shellcheck disable=SC2016
    in_shop sh -c 'mariadb -e "DROP DATABASE shop"; rm -f "$POD_ROOT"/books/*'
    note "DROP DATABASE shop; rm /books/*"
  }
}

choose_sqlite() {
  shop=examples/pocket/ledger.yaml
  kept_in="an SQLite database, ledger lines in another one"
  # shellcheck disable=SC2016
  silent_hold='exec 9>>"/tmp/$HOSTNAME.lock"; flock 9; touch "/tmp/$HOSTNAME.held"; cat >/dev/null'

  sql() { # of the book of orders
    in_shop python3 -c "
import os, sqlite3, sys
file = sqlite3.connect(os.environ.get('POD_ROOT', '') + '/orders/orders.db', timeout=5)
print(file.execute(sys.argv[1]).fetchone()[0])" "$1"
  }
  orders() { sql 'SELECT COUNT(*) FROM lines'; }
  longest_pause() {
    sql 'SELECT CAST(ROUND(MAX(gap) * 1000) AS INT)
         FROM (SELECT at - LAG(at) OVER (ORDER BY id) AS gap FROM lines)'
  }
  first_order_after() {
    sql "SELECT CAST(ROUND((MIN(at) - $1) * 1000) AS INT) FROM lines WHERE at > $1"
  }
  lose_all() {
    # shellcheck disable=SC2016
    in_shop sh -c 'rm -f "$POD_ROOT"/orders/* "$POD_ROOT"/books/*'
    note "rm /orders/* /books/*"
  }
}
