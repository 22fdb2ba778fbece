package demo;

import com.qq.tars.protocol.tars.annotation.TarsStruct;
import com.qq.tars.protocol.tars.annotation.TarsStructProperty;
import java.util.HashMap;
import java.util.Map;

@TarsStruct
public class Greeting {
    @TarsStructProperty(order = 0, isRequire = true)
    public String text = "";
    @TarsStructProperty(order = 1, isRequire = false)
    public String server = "";
    @TarsStructProperty(order = 2, isRequire = false)
    public int pid = 0;
    @TarsStructProperty(order = 3, isRequire = false)
    public Map<String, String> trail = new HashMap<String, String>(java.util.Collections.singletonMap("", ""));

    public String getText() { return text; }
    public void setText(String text) { this.text = text; }
    public String getServer() { return server; }
    public void setServer(String server) { this.server = server; }
    public int getPid() { return pid; }
    public void setPid(int pid) { this.pid = pid; }
    public Map<String, String> getTrail() { return trail; }
    public void setTrail(Map<String, String> trail) { this.trail = trail; }
}
