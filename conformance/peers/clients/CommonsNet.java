import java.io.FileOutputStream;
import java.io.Reader;
import org.apache.commons.net.pop3.POP3Client;
import org.apache.commons.net.pop3.POP3MessageInfo;

/** Apache Commons Net: fetches and deletes every message. CommonsNet HOST PORT USER PASSWORD DIR */
class CommonsNet {
    public static void main(String[] words) throws Exception {
        POP3Client box = new POP3Client();
        box.setDefaultTimeout(60000);
        box.connect(words[0], Integer.parseInt(words[1]));
        need(box.login(words[2], words[3]), "no login");
        need(box.status() != null, "no status");
        box.listUniqueIdentifiers(); // A server need not know it, nor TOP.
        POP3MessageInfo[] messages = box.listMessages();
        need(messages != null, "no list");
        for (POP3MessageInfo message : messages) {
            Reader top = box.retrieveMessageTop(message.number, 0);
            while (top != null && top.read() >= 0) {}
            Reader text = box.retrieveMessage(message.number);
            need(text != null, "no message");
            try (FileOutputStream file = new FileOutputStream(words[4] + "/" + message.number)) {
                for (int octet = text.read(); octet >= 0; octet = text.read()) {
                    file.write(octet);
                }
            }
            need(box.deleteMessage(message.number), "not deleted");
        }
        need(box.logout(), "no goodbye");
        box.disconnect();
    }

    private static void need(boolean fine, String words) {
        if (!fine) {
            throw new IllegalStateException(words);
        }
    }
}
