import java.io.IOException;
import java.io.RandomAccessFile;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;

/**
 * A service that makes garbage with every request and keeps sessions in a static map: "last" only the last 200, "window"
 * all of a 20 s window, after which they go and the heap is collected, "every" all of them, for nothing is ever removed.
 *
 * Usage: java RequestServer last|window|every BYTES_PER_SESSION RATE
 */
public class RequestServer {
    static final int LAST_SESSIONS = 200;
    static final double WINDOW_SECONDS = 20;
    static final Map<Long, byte[]> sessions = new LinkedHashMap<>();

    public static void main(String[] arguments) throws IOException, InterruptedException {
        String keep = arguments[0];
        int bytesPerSession = Integer.parseInt(arguments[1]);
        double rate = Double.parseDouble(arguments[2]);
        var random = ThreadLocalRandom.current();
        double start = System.nanoTime() / 1e9, windowEnd = WINDOW_SECONDS;
        try (var counter = new RandomAccessFile(System.getenv("COUNTERS") + "/requests_total", "rw")) {
            for (long number = 1; ; number++) {
                double seconds = System.nanoTime() / 1e9 - start;
                double swing = 1 + 0.6 * Math.sin(2 * Math.PI * seconds / 83) + 0.3 * Math.sin(2 * Math.PI * seconds / 31);
                Thread.sleep(Math.round(-Math.log(1 - random.nextDouble()) / (rate * swing) * 1000));
                byte[][] garbage = new byte[32][];
                for (int part = 0; part < garbage.length; part++) {
                    garbage[part] = new byte[random.nextInt(8192)];
                }
                byte[] session = new byte[bytesPerSession];
                random.nextBytes(session);
                sessions.put(number, session);
                if (keep.equals("last")) {
                    sessions.remove(number - LAST_SESSIONS);
                } else if (keep.equals("window") && seconds > windowEnd) {
                    sessions.clear();
                    System.gc();
                    windowEnd += WINDOW_SECONDS;
                }
                counter.seek(0);
                counter.writeBytes(String.format("%020d", number));
            }
        }
    }
}
