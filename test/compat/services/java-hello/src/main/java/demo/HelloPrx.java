package demo;

import com.qq.tars.common.support.Holder;
import com.qq.tars.protocol.annotation.Servant;
import com.qq.tars.protocol.tars.annotation.TarsHolder;

@Servant
public interface HelloPrx {
    int greet(String name, @TarsHolder Holder<Greeting> greeting);
}
