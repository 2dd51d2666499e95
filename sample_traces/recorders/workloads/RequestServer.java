import java.io.IOException;
import java.io.RandomAccessFile;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;

/**
 * A service that makes garbage with every request and keeps the last sessions.
 * With "leak" every session also goes into a static map from which nothing is ever removed.
 *
 * Usage: java RequestServer healthy|leak BYTES_PER_REQUEST RATE
 */
public class RequestServer {
    static final int SESSIONS = 200;
    static final Map<String, byte[]> everySession = new ConcurrentHashMap<>();
    static final Map<String, byte[]> lastSessions = new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, byte[]> eldest) {
            return size() > SESSIONS;
        }
    };

    public static void main(String[] arguments) throws IOException, InterruptedException {
        boolean leak = arguments[0].equals("leak");
        int bytesPerRequest = Integer.parseInt(arguments[1]);
        double rate = Double.parseDouble(arguments[2]);
        var random = ThreadLocalRandom.current();
        try (var counter = new RandomAccessFile(System.getenv("REQUESTS_FILE"), "rw")) {
            for (long number = 1; ; number++) {
                double seconds = System.nanoTime() / 1e9;
                double swing = 1 + 0.6 * Math.sin(2 * Math.PI * seconds / 83) + 0.3 * Math.sin(2 * Math.PI * seconds / 31);
                Thread.sleep(Math.round(-Math.log(1 - random.nextDouble()) / (rate * swing) * 1000));
                byte[][] garbage = new byte[32][];
                for (int part = 0; part < garbage.length; part++) {
                    garbage[part] = new byte[random.nextInt(8192)];
                }
                byte[] session = new byte[bytesPerRequest];
                random.nextBytes(session);
                lastSessions.put("session " + number, session);
                if (leak) {
                    everySession.put("session " + number, session);
                }
                counter.seek(0);
                counter.writeBytes(String.format("%020d", number));
            }
        }
    }
}
