# popa3d, one process for each connection, with the system's users and mbox files.
# packages: popa3d
# modes: clear
for name in "$user" empty; do
    useradd --create-home "$name" && echo "$name:$password" | chpasswd
    cp "/peer/mbox" "/var/mail/$name" && chown "$name:mail" "/var/mail/$name" && chmod 660 "/var/mail/$name"
done
: >/var/mail/empty
exec python3 /peer/inetd.py "$port" /usr/sbin/popa3d
