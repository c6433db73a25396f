# Courier's POP3 server, with a userdb of its own.
# packages: courier-pop courier-authlib-userdb
# modes: clear stls
id=$(id -u mail)
for name in "$user" empty; do
    mkdir -p "/home/$name"
    maildirmake "/home/$name/Maildir" 2>/dev/null || mkdir -p "/home/$name/Maildir/cur" "/home/$name/Maildir/new" "/home/$name/Maildir/tmp"
    userdb "$name" set "uid=$id" "gid=$(id -g mail)" "home=/home/$name" "mail=/home/$name/Maildir"
    printf '%s\n%s\n' "$password" "$password" | userdbpw -md5 | userdb "$name" set systempw
done
chmod 700 /etc/courier/userdb && makeuserdb
cp /peer/Maildir/cur/* "/home/$user/Maildir/cur/"
chown -R mail:mail "/home/$user" /home/empty
sed -i 's/^authmodulelist=.*/authmodulelist="authuserdb"/' /etc/courier/authdaemonrc
mkdir -p /run/courier/authdaemon && chown courier /run/courier/authdaemon
authdaemond start
cat /peer/key.pem /peer/cert.pem >/etc/courier/peer.pem && chmod 600 /etc/courier/peer.pem && chown courier /etc/courier/peer.pem
set -a +u
. /etc/courier/pop3d-ssl
. /etc/courier/pop3d
prefix=/usr TLS_CERTFILE=/etc/courier/peer.pem POP3_STARTTLS=YES POP3_TLS_REQUIRED=0
exec couriertcpd -address=127.0.0.1 -maxprocs=100 -maxperip=100 -nodnslookup -noidentlookup "$port" \
    /usr/lib/courier/courier/courierpop3login /usr/lib/courier/courier/courierpop3d Maildir
