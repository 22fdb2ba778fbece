import java.util.Map;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.http.HttpServerTransport;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.node.Node;

/** The same for Elasticsearch 8: a Node takes no plugins any more, so its transport is in a folder `modules`, as in an installation. */
public final class SearchNode8 {
    public static void main(String[] args) throws Exception {
        LogConfigurator.configureESLogging();
        Settings settings = Settings.builder()
            .put("path.home", args[0]).put("path.data", args[0] + "/data").put("path.logs", args[0] + "/logs")
            .put("node.name", "test").put("cluster.name", "test").put("discovery.type", "single-node")
            .put("http.type", "netty4").put("transport.type", "netty4").put("network.host", "127.0.0.1").put("http.port", args[1]).put("transport.port", "0")
            .put("cluster.routing.allocation.disk.threshold_enabled", false)
            .build();
        Environment environment = InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), null, () -> "test");
        Node node = new Node(environment);
        node.start();
        int port = node.injector().getInstance(HttpServerTransport.class).boundAddress().publishAddress().getPort();
        System.out.println("port " + port);
        while (System.in.read() >= 0) { }
        node.close();
    }
}
