# HOST PORT USER COUNT: prints the messages, with curl, all in one connection.
urls=
number=1
while [ "$number" -le "$4" ]; do
  urls="$urls pop3://$1:$2/$number"
  number=$((number + 1))
done
# shellcheck disable=SC2086 # A list of addresses, to be split.
exec curl --silent --disable --user "$3:tanstaaf" $urls
