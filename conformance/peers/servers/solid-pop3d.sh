# Solid POP3, one process for each connection, with the system's users and Maildirs.
# packages: solid-pop3d
# modes: clear
for name in "$user" empty; do
    useradd --create-home "$name" && echo "$name:$password" | chpasswd
    mkdir -p "/home/$name/Maildir/cur" "/home/$name/Maildir/new" "/home/$name/Maildir/tmp"
done
cp /peer/Maildir/cur/* "/home/$user/Maildir/cur/"
chown -R "$user:$user" "/home/$user" && chown -R empty:empty /home/empty
printf '<Global>\n MailDropName "/home/%%s/Maildir"\n MailDropType maildir\n LogStatistics no\n</Global>\n' >/etc/spop3d.conf
exec python3 /peer/inetd.py "$port" /usr/sbin/solid-pop3d
