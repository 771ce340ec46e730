import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/**
 * An HTTPS client with a certificate, which holds the server to its name:
 * java MutualClient.java PORT NAME KEY_STORE TRUST_STORE PASSPHRASE
 *
 * <p>It prints the body of the answer, or why there is none.
 */
public class MutualClient {
    public static void main(String[] args) throws Exception {
        char[] passphrase = args[4].toCharArray();
        KeyManagerFactory keys =
            KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(open(args[2], passphrase), passphrase);
        TrustManagerFactory trusted =
            TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trusted.init(open(args[3], passphrase));
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trusted.getTrustManagers(), null);
        int port = Integer.parseInt(args[0]);
        Socket plain = new Socket(InetAddress.getLoopbackAddress(), port);
        plain.setSoTimeout(60_000);
        try (SSLSocket server =
                (SSLSocket) context.getSocketFactory().createSocket(plain, args[1], port, true)) {
            SSLParameters parameters = server.getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            server.setSSLParameters(parameters);
            String request = "GET / HTTP/1.0\r\nHost: " + args[1] + "\r\n\r\n";
            server.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
            String answer =
                new String(server.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
            System.out.print(answer.substring(answer.indexOf("\r\n\r\n") + 4));
        } catch (IOException refusal) {
            System.out.println("refused: " + refusal.getMessage());
        }
    }

    private static KeyStore open(String file, char[] passphrase) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream content = new FileInputStream(file)) {
            store.load(content, passphrase);
        }
        return store;
    }
}
