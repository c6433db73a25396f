import java.io.FileOutputStream;
import java.util.Properties;
import javax.mail.Folder;
import javax.mail.Flags;
import javax.mail.Message;
import javax.mail.Session;
import javax.mail.Store;

/** JavaMail: fetches and deletes every message. JavaMail HOST PORT USER PASSWORD DIR */
class JavaMail {
    public static void main(String[] words) throws Exception {
        Properties properties = new Properties();
        properties.put("mail.pop3.timeout", "60000");
        Store store = Session.getInstance(properties).getStore("pop3");
        store.connect(words[0], Integer.parseInt(words[1]), words[2], words[3]);
        Folder folder = store.getFolder("INBOX");
        folder.open(Folder.READ_WRITE);
        for (Message message : folder.getMessages()) {
            ((com.sun.mail.pop3.POP3Folder) folder).getUID(message);
            try (FileOutputStream file = new FileOutputStream(words[4] + "/" + message.getMessageNumber())) {
                message.writeTo(file);
            }
            message.setFlag(Flags.Flag.DELETED, true);
        }
        folder.close(true);
        store.close();
    }
}
