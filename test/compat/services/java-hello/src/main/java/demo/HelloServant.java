package demo;

import com.qq.tars.common.support.Holder;
import com.qq.tars.protocol.annotation.Servant;
import com.qq.tars.protocol.tars.annotation.TarsHolder;

@Servant
public interface HelloServant {
    int greet(String name, @TarsHolder Holder<Greeting> greeting);

    int relay(String obj, String name, @TarsHolder Holder<Greeting> greeting);

    int readConfig(String filename, @TarsHolder Holder<String> content);
}
