package demo;

import com.qq.tars.client.Communicator;
import com.qq.tars.client.CommunicatorFactory;
import com.qq.tars.common.support.Holder;
import com.qq.tars.server.config.ConfigurationManager;
import com.qq.tars.server.config.ServerConfig;
import com.qq.tars.support.config.ConfigHelper;
import com.qq.tars.support.notify.NotifyHelper;
import java.io.File;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;

public class HelloServantImpl implements HelloServant {
    @Override
    public int greet(String name, Holder<Greeting> greeting) {
        greeting.setValue(answer("Hello, " + name + "!"));
        return 0;
    }

    @Override
    public int relay(String obj, String name, Holder<Greeting> greeting) {
        try {
            Communicator communicator = CommunicatorFactory.getInstance().getCommunicator();
            HelloPrx proxy = communicator.stringToProxy(HelloPrx.class, obj);
            Holder<Greeting> remote = new Holder<Greeting>(new Greeting());
            int result = proxy.greet(name, remote);
            Greeting value = remote.getValue();
            value.trail.put(name(), obj);
            greeting.setValue(value);
            return result;
        } catch (Throwable error) {
            greeting.setValue(answer(obj + " did not answer: " + error));
            return -1;
        }
    }

    @Override
    public int readConfig(String filename, Holder<String> content) {
        try {
            NotifyHelper.getInstance().notifyNormal("reading " + filename);
            ConfigHelper.getInstance().loadConfig(filename);
            File file = new File(config().getBasePath() + "/conf/" + filename);
            content.setValue(new String(Files.readAllBytes(file.toPath()), StandardCharsets.UTF_8));
            return 0;
        } catch (Throwable error) {
            content.setValue(error.toString());
            return -1;
        }
    }

    private static ServerConfig config() {
        return ConfigurationManager.getInstance().getServerConfig();
    }

    private static String name() {
        return config().getApplication() + "." + config().getServerName();
    }

    private static Greeting answer(String text) {
        Greeting greeting = new Greeting();
        greeting.text = text;
        greeting.server = name();
        greeting.pid = Integer.parseInt(ManagementFactory.getRuntimeMXBean().getName().split("@")[0]);
        greeting.trail = new java.util.HashMap<String, String>();
        return greeting;
    }
}
